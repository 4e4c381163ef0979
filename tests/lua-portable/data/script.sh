#!/bin/sh
echo pushed
