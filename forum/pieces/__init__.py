"""Every fragment in every state on one page, from plain data: for those who draw. Only with DEBUG."""
