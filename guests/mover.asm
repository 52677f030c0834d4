; A boot sector that makes room for another one, as those of partitioned disks do: it copies itself
; to 0x0600 and goes on there, then erases where it was.
;
; A debugger should see breakpoints at 0x0617 and behind, set before there is any code, hit there, the
; code still the same; and no more code at 0x7c00 in the end, at the halt.

	bits 16
	org 0x0600

	xor ax, ax
	mov ds, ax
	mov es, ax
	mov si, 0x7c00
	mov di, 0x0600
	mov cx, 256
	cld
	rep movsw
	jmp 0:moved
moved:	mov al, 'm'
	out 0xe9, al
	mov di, 0x7c00
	mov cx, 512
	xor ax, ax
	rep stosb
next:	inc ax
	cmp ax, 3
	jne next
	hlt

	times 510-($-$$) db 0
	dw 0xaa55
