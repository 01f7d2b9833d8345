"""Events -> profiles: what is normal for an agent, its peers and the fleet."""
