"""What others do with the same contacts: run by the bench in a virtual environment of its own, `.tools/peers`.

Nothing here imports the app, and nothing of the app imports this: `requirements.in` beside it is what these modules
need. Each of them is a process that makes itself ready, and then works when it is told to (see `job`).
"""
