; Adds up the bytes of its own code and writes the sum to port 0xeff.
;
; A debugger should see 0x00 there, since the last byte is chosen so, whatever breakpoints in debug
; registers there are; one that was planted as a byte would show.

	bits 16
	org 0x1000

start:	mov si, start
	mov cx, end - start
	mov bl, 0
next:	lodsb
	add bl, al
	dec cx
	jnz next
	mov al, bl
	mov dx, 0xeff
	out dx, al
	hlt
	db 0x80
end:
