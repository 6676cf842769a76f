"""Who belongs where: members, teams, requests for projects, leaving."""
