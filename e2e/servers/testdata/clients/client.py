"""Makes a TLS connection as ssl.create_default_context does, and asks for a page. Exit status: 0 accepted, 1 refused."""
import socket, ssl, sys

host, port, name, roots = sys.argv[1:5]
context = ssl.create_default_context(cafile=roots)
try:
    with socket.create_connection((host, int(port)), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname=name) as tls:
            tls.settimeout(1)
            tls.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % name.encode())
            try:
                tls.recv(1)
            except TimeoutError:
                pass
except (OSError, ValueError) as refused:
    print(refused)
    sys.exit(1)
