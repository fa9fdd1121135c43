"""Names of the queues in bindings: the platform puts the prefix setting in; storage makes the same names."""

CONNECTION = "AzureWebJobsStorage"
SYNC_JOBS = "%STORAGE_PREFIX%-sync-jobs"
COMPANY_JOBS = "%STORAGE_PREFIX%-company-jobs"
SYNC_JOBS_POISON = f"{SYNC_JOBS}-poison"
COMPANY_JOBS_POISON = f"{COMPANY_JOBS}-poison"
