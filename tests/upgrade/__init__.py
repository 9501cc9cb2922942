"""What must not change unnoticed: state that older versions left behind, and the messages of one scripted run."""
