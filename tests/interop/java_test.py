"""Apache's Java client and Curator (java/InteropTest.java) against a server, which is killed and restarted on request."""

import argparse
import pathlib
import subprocess
import sys
import tempfile

from servers import make_server

SOURCE = pathlib.Path(__file__).with_name("java") / "InteropTest.java"
JARS = ("zookeeper", "zookeeper-jute", "curator-framework", "curator-recipes", "curator-client", "guava", "slf4j-nop")
CLASSPATH = ":".join(f"/usr/share/java/{jar}.jar" for jar in JARS)


def compile_to(folder):
    subprocess.run(["/usr/bin/javac", "-nowarn", "-encoding", "UTF-8", "-cp", CLASSPATH, "-d", folder, str(SOURCE)], check=True)


def run_client(server, folder):
    """Run the Java program, restarting the server when it asks; its number of failed tests, or 1 if it crashed."""
    command = ["/usr/bin/java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{folder}:{CLASSPATH}",
               "InteropTest", "%s:%d" % server.address]
    failed = 0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        try:
            for line in client.stdout:
                if line == "RESTART\n":
                    _restart(server, client)
                else:
                    failed += line.startswith("FAIL")
                    print("  " + line, end="", flush=True)
        except BaseException:
            client.kill()  # or we would wait for it
            raise
    return failed or client.returncode


def _restart(server, client):
    server.kill()
    server.start()
    client.stdin.write("RESTARTED\n")
    client.stdin.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="path of the Quorate binary, or the word apache")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quorate-interop-java-") as folder, make_server(arguments.server) as server:
        compile_to(folder)
        failed = run_client(server, folder)
    print("all passed" if not failed else f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
