"""How surprising a session is for its agent: voices, each a probability against benign history."""
