"""The command `solvency`: results on stdout, everything else on stderr, no questions asked."""
