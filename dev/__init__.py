"""What only development needs: host, simulators, demo, benchmarks."""
