"""Everything above -> what a person sees."""
