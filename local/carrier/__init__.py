"""Twilio on loopback: REST calls, TwiML, signed webhooks and Media Streams; only the far end's voice is simulated."""
