"""`python -m generation.host FD`: one device host, on the socket with that number."""

from generation.host.process import main

main()
