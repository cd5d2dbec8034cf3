"""A generated company, and its books computed a second time, by somebody else."""
