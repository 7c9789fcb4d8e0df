"""A release on its way to the Hub: the folder as it will be there, what must be sent for that, and the sending."""
