"""Who belongs to a project, who asks for one, who leaves."""
