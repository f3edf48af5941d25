"""People signed in to the console by Microsoft Entra: their sign-ins, their tokens, and Azure asked as them."""
