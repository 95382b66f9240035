"""What happens, in order: the conveyor that carries jobs through Tapis's states."""
