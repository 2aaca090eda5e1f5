"""The mathematics: decisions, constraint families and objective terms; Pyomo and nothing else."""
