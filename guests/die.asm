; Raises an exception in 32-bit protected mode, for --mode=32, with no table of handlers: a triple
; fault.
;
; A debugger should see the guest die at the UD2, 0x1005, with EAX still 5, and nothing but that
; when it is told to go on.

	bits 32
	org 0x1000

	mov eax, 5
	ud2
	hlt
