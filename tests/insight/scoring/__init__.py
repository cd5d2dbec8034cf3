"""A generated company, and its scoreboards computed a second time, by somebody else."""
