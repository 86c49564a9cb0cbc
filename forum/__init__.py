"""The house: everything a person sees or says."""
