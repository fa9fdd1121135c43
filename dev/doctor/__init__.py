"""make doctor: whether an installation can work, part by part, with what to do; and what no page says of the services.

The checks that the app makes itself (validate, health) are the app's own code in `shared/engine`. Here is what only an
administrator may do, such as writing a contact to try it, and what is not deployed.
"""
