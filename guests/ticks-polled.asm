; A boot sector that asks the BIOS over and over, and counts the timer's ticks: 18.2 a second come nevertheless, by the clock,
; and ten waits of 100 ms, INT 15h AH=86h, take one second and not up to the next tick each. It prints a dot for each of the
; two that is so, an x if not.
;
; A debugger should see them in $ax behind the first SUB of `result`.

	bits 16
	org 0x7c00

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	call second
	mov bx, [0x46c]
	mov di, 2
.two:	call second
	dec di
	jnz .two
	mov cx, 36			; two seconds
	call result

	mov di, 10
	mov bx, [0x46c]
.wait:	mov ah, 0x86
	mov cx, 1
	mov dx, 100000 - 65536
	int 0x15
	dec di
	jnz .wait
	mov cx, 18
	call result
	mov al, 10
	out 0xe9, al
	cli
	hlt

second:	mov ah, 2			; waits for the next second
	int 0x1a
	mov si, dx
.poll:	mov ah, 1
	int 0x16
	mov ah, 2
	int 0x1a
	cmp dx, si
	je .poll
	ret

result:	mov ax, [0x46c]
	sub ax, bx
	sub ax, cx			; or one more
	cmp al, 1
	mov al, '.'
	jbe .good
	mov al, 'x'
.good:	out 0xe9, al
	ret

	times 510 - ($ - $$) db 0
	dw 0xaa55
