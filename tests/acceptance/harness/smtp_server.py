"""A real SMTP server for tests: plain, STARTTLS and implicit TLS, each on its own port.

Every accepted mail becomes one JSON file in the mail folder, decoded by Python's own e-mail library, so that what a
test reads is what a mail program would show. Arguments: mail folder, certificate, key, three ports, [user password].
"""

import asyncio
import email
import email.policy
import itertools
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

FOLDER, CERTIFICATE, KEY, PLAIN, STARTTLS, IMPLICIT = sys.argv[1:7]
LOGIN = tuple(sys.argv[7:9])
NUMBERS = itertools.count(1)


class Keeper:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = message.get_body(preferencelist=("plain",))
        html = message.get_body(preferencelist=("html",))
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": [[name, str(value)] for name, value in message.items()],
            "text": text.get_content() if text else "",
            "html": html.get_content() if html else "",
            "attachments": [part.get_filename() or "" for part in message.iter_attachments()],
            "encrypted": server.transport.get_extra_info("sslcontext") is not None,
            "login": getattr(session, "login_name", None),
            "raw": envelope.content.decode("utf-8", "replace"),
        }
        path = os.path.join(FOLDER, f"{next(NUMBERS):06}.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(mail, file)
        os.rename(path + ".new", path)
        return "250 OK kept"


def authenticate(server, session, envelope, mechanism, data):
    given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else ()
    session.login_name = given[0] if given else None
    # Not "handled": the server itself is to answer 535.
    return AuthResult(success=given == LOGIN, handled=False)


def answer(**options):
    login = {"authenticator": authenticate, "auth_required": True} if LOGIN else {}
    return lambda: SMTP(Keeper(), hostname="localhost", **login, **options)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    loop = asyncio.get_running_loop()
    listen = lambda factory, port, tls=None: loop.create_server(factory, "127.0.0.1", int(port), ssl=tls)
    await listen(answer(auth_require_tls=False), PLAIN)
    await listen(answer(tls_context=context, require_starttls=True), STARTTLS)
    # Inside implicit TLS there is no STARTTLS for the server to see, so it must not ask for one before a login.
    await listen(answer(auth_require_tls=False), IMPLICIT, context)
    await asyncio.Event().wait()


asyncio.run(main())
