"""The kernel's side of the API: sync calls over HTTP, jobs, data frames."""
