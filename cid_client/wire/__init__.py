"""How the client speaks with a catalog: address, token, requests, tickets, waiting."""
