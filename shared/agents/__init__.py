"""Sofia herself: her prompt with its locked blocks, her tools, her opening, and what is matched beside the model."""
