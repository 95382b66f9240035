"""Sent to the host and run there by its Python: hands jobs to a Dask scheduler, looks after them, ends them.

Nothing else of this package is there: only the standard library and ``distributed`` are used. A request is
a file of JSON, an answer is lines of JSON. A job is a task that runs the job's own launch script on a
worker. Dask runs a task again when its worker is lost
(https://distributed.dask.org/en/stable/resilience.html): the claim of the launch script makes the second
copy run nothing, and a guard ends what the first one left behind.
"""
