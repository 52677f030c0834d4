; Raises an exception in real mode, with a table of vectors that is empty and nowhere: a triple fault.
;
; A debugger should see the guest die at the UD2, 0x1009, with AX still 5, and nothing but that when it is
; told to go on.

	bits 16
	org 0x1000

	mov ax, 5
	o32 lidt [nowhere]
	ud2
	hlt

nowhere:
	dw 0		; a limit that some emulating hosts do not look at
	dd 0xf0000000
