"""A real Slurm cluster and real SSH hosts for the tests; README.md tells what runs."""
