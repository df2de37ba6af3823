"""Nets, scenes, trees and records that several tests use."""
