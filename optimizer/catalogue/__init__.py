"""What exists to choose from: GPU models, AI models, measured deployments and API prices, with their sources."""
