"""Who is asking: tokens, people, sessions, sign-on."""
