"""Teams: who may do what in which repositories of an organization."""
