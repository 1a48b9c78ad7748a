"""h2o on one thread, a small file. Prints its port, serves until it is ended. http_server [CERTIFICATE KEY]"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from settings import become, free_port, identity  # noqa: E402

port = free_port()
files = identity()
tls = f"""
  ssl:
    certificate-file: {files[0]}
    key-file: {files[1]}""" if files else ""
settings = f"""
num-threads: 1
max-connections: 16384
listen:
  host: 127.0.0.1
  port: {port}{tls}
hosts:
  default:
    paths:
      /:
        file.dir: %FOLDER%
"""
become(["/usr/bin/h2o", "-c", "%FOLDER%/settings"], settings, port)
