"""When and where a job runs: pure pairs of 'make the command' and 'parse its output'."""
