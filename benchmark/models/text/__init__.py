"""Models whose targets depend on a text: answers to a question, words of a caption."""
