"""What is run: a runtime turns a job's definition into its launch lines."""
