"""Makes an administrator in a new SecantusDB store: arguments are the store's folder and a file with the password."""

import sys

from pymongo import MongoClient
from secantus.server import SecantusDBServer

store, password_file = sys.argv[1:]
with open(password_file) as file:
    password = file.read()
server = SecantusDBServer(storage_path=store, replica_set_name=None)
server.start()
try:
    with MongoClient("127.0.0.1", server.port, directConnection=True) as client:
        client.admin.command("createUser", "root", pwd=password, roles=["root"])
finally:
    server.stop()
