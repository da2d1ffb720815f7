"""What a mirror is made between: a module for each sort of end."""
