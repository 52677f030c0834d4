; A boot sector that asks the BIOS over and over, and counts the timer's ticks: 18.2 a second come nevertheless, by the clock,
; and ten waits of 100 ms, INT 15h AH=86h, take one second and not up to the next tick each. One of a second by AH=83h lets it
; go on meanwhile. It prints a dot for each of the three that is so, an x if not.
;
; A debugger should see them in $ax behind the first SUB of `result`.

	bits 16
	org 0x7c00

	xor ax, ax
	mov ds, ax
	mov es, ax
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
	mov ax, 0x8300
	mov bx, event
	mov cx, 15
	mov dx, 1000000 - 15 * 65536
	int 0x15
	mov bx, [0x46c]
.event:	mov ah, 1
	int 0x16
	test byte [event], 0x80
	jz .event
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

event:	db 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
