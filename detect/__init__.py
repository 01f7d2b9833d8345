"""Events and profiles -> findings -> cases -> alerts."""
