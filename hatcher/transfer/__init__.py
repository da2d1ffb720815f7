"""Moving files: streamed, hashed on the way, and in place only when they are whole."""
