"""The Business Central simulator: companies, contacts, countries, `$batch` and webhooks of API v2.0.

Made from the Business Central reference; section numbers in docstrings are its sections. `service.py` is the entry
(a `serving.Service`), `control.py` what a BC user and a test can do, `switches.py` the choices where the contract is
silent. Every commit passes `Company.committed`, where webhooks (section 6) listen.
"""
