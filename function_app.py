"""Entry point of the function app: registers the triggers, nothing else."""

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
