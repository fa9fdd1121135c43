"""A certificate authority and a server certificate for the simulators, made anew at each start."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files; clients set REQUESTS_CA_BUNDLE and SSL_CERT_FILE to `ca_file`."""

    ca_file: Path
    server_file: Path  #: private key and chain together


def make_certificates(folder: Path) -> Certificates:
    """Write both files into `folder`, which must exist."""
    authority = trustme.CA(organization_name="Contact sync simulators")
    made = Certificates(folder / "simulators-ca.pem", folder / "simulators-server.pem")
    authority.cert_pem.write_to_path(str(made.ca_file))
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(made.server_file))
    made.server_file.chmod(0o600)
    return made
