"""The paper's claims, each judged by what the experiments found."""
