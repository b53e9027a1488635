"""The phone line's side: Twilio Media Streams first, behind small messages."""
