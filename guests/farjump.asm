; A boot sector that goes to segment 0x07c0, as many do, and then counts in CX, through a stack at
; 2000:2000, to 5.
;
; A debugger should see $pc 0x7c00 first, then, with $cs 0x7c0 and $ip 5, $pc 0x7c05, and the loop at
; 0x7c0c, three times and more. $sp is 0x22000 there and 0x21ffe between PUSH and POP.

	bits 16
	org 0

	jmp 0x07c0:start
start:	mov ax, 0x2000
	mov ss, ax
	mov sp, ax
next:	inc cx
	push cx
	pop bx
	cmp bx, 5
	jne next
	hlt

	times 510-($-$$) db 0
	dw 0xaa55
