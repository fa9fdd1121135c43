"""The Business Central simulator: companies, contacts, countries and `$batch` of API v2.0.

Made from the Business Central reference; section numbers in docstrings are its sections. `service.py` is the entry
(a `serving.Service`), `control.py` what a BC user and a test can do, `switches.py` the choices where the contract is
silent. Webhooks (section 6) are not here yet: every commit passes `Company.committed`, where they would listen.
"""
