"""OpenAI Realtime on loopback: the real protocol, emulated ears and voice, and a scripted mind."""
