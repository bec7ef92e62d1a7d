"""The implementations under test: what they are asked, and how they answer."""
