"""What a notebook shows: the cell magic and the job's card."""
